"""Pictures and files from the web: verified, sorted in folders, each with one line of provenance."""
