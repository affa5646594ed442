"""What scrapyd-deploy packs into the egg: without this file it would write one that packs the tests as well."""

from setuptools import find_packages, setup

setup(
    name="imagecrawl",
    version="0.1.0",
    packages=find_packages(include=["imagecrawl", "imagecrawl.*", "spiders", "settings"]),
    extras_require={"parquet": ["pyarrow>=20"]},
    entry_points={"scrapy": ["settings = settings.scrapyd"]},
)
