"""The ledger as a crawl asks it: every answer means a commit, and no crawl runs twice or sweeps up a live one."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any, TypeVar

import pytest
from filelock import FileLock
from scrapy import Spider, signals
from scrapy.utils.test import get_crawler

from imagecrawl.exceptions import AlreadyRunningError, LedgerError
from imagecrawl.ledger import Key, Ledger
from imagecrawl.memory import GROUP, PATIENCE, CrawlLock, Memory, crawl_name, running_crawls
from imagecrawl.outcomes import Outcome
from imagecrawl.params import SpiderParams
from imagecrawl.stores import LocalStore
from tests.crawling import ROOT, environment
from tests.ledger_writer import entry, pipe, said, tell, writer

SECONDS = 20
"""How long a test waits for what should come at once, before it fails."""

T = TypeVar("T")


def run(scenario: Awaitable[T]) -> T:
    return asyncio.run(asyncio.wait_for(scenario, SECONDS))


def key(url: str) -> Key:
    return Key(store="images", folder="cats", url=url)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is held is waited for only a moment, where it is not let go meanwhile."""
    assert CrawlLock.acquire.__defaults__ == (PATIENCE,)
    monkeypatch.setattr(CrawlLock.acquire, "__defaults__", (0.1,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    """A second connection, which sees what is committed and nothing else."""
    with closing(Ledger(path)) as ledger:
        yield ledger


@pytest.fixture
def memory(path: Path) -> Iterator[Memory]:
    with closing(Memory(path, "crawl-1")) as memory:
        yield memory


class Gate:
    """Stands before every commit of a memory: lets none pass until it is opened, and counts them."""

    def __init__(self) -> None:
        self.reached, self.opened = Event(), Event()
        self.commits = 0

    def guard(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        transaction, inside = ledger.transaction, []

        @contextmanager
        def guarded() -> Iterator[None]:
            if inside:
                yield
                return
            with transaction():
                inside.append(True)
                try:
                    yield
                finally:
                    inside.clear()
                self.reached.set()
                assert self.opened.wait(SECONDS)
            self.commits += 1

        monkeypatch.setattr(ledger, "transaction", guarded)


@pytest.fixture
def gate(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    gate.guard(memory._ledger, monkeypatch)
    yield gate
    gate.opened.set()


async def turns() -> None:
    """Let the event loop do whatever is ready, and what follows from it."""
    for _ in range(20):
        await asyncio.sleep(0)


# Answers


def test_an_answer_means_that_it_is_committed(memory: Memory, ledger: Ledger, gate: Gate) -> None:
    async def scenario() -> None:
        asked = asyncio.ensure_future(memory.settle(entry("u")))
        await asyncio.to_thread(gate.reached.wait, SECONDS)
        await turns()
        assert not asked.done()
        assert ledger.find(key("u")) is None
        gate.opened.set()
        assert await asked is Outcome.STORED
        assert ledger.find(key("u"))

    run(scenario())


def test_what_is_asked_meanwhile_is_one_transaction_and_answered_in_order(memory: Memory, gate: Gate) -> None:
    order: list[int] = []

    async def ask(number: int) -> Outcome:
        outcome = await memory.settle(entry(f"u{number}"))
        order.append(number)
        return outcome

    async def scenario() -> list[Outcome]:
        first = asyncio.ensure_future(ask(0))
        await asyncio.to_thread(gate.reached.wait, SECONDS)
        others = [asyncio.ensure_future(ask(number)) for number in range(1, 2 * GROUP + 2)]
        await turns()
        gate.opened.set()
        return await asyncio.gather(first, *others)

    outcomes = run(scenario())
    assert order == list(range(2 * GROUP + 2))
    assert outcomes == ["stored"] + ["duplicate"] * (2 * GROUP + 1), "they all have the same bytes"
    assert gate.commits == 4, "the first, two full groups, the last"


def test_the_event_loop_goes_on_while_the_ledger_waits(memory: Memory, gate: Gate) -> None:
    async def scenario() -> int:
        asked = asyncio.ensure_future(memory.recall(key("u")))
        await asyncio.to_thread(gate.reached.wait, SECONDS)
        passed = 0
        while passed < 1000:
            await asyncio.sleep(0)
            passed += 1
        assert not asked.done()
        gate.opened.set()
        await asked
        return passed

    assert run(scenario()) == 1000


def test_every_question_has_its_answer(memory: Memory, ledger: Ledger) -> None:
    async def scenario() -> None:
        assert await memory.recall(key("u")) is None
        assert await memory.settle(entry("u", run=memory.run)) is Outcome.STORED
        await memory.keep_mtime(key("u"), 77)
        found = await memory.recall(key("u"))
        assert found and (found.mtime_ns, found.run) == (77, memory.run)
        dogs = Key(store="images", folder="dogs", url="u")
        assert await memory.find_elsewhere(dogs) == await memory.find_elsewhere(dogs, "1") == found
        assert await memory.find_elsewhere(dogs, "2") is None
        for _ in range(2):
            await memory.enter_folder("images", "cats")

    run(scenario())
    assert ledger.folders(memory.run) == [("images", "cats")]
    assert ledger.open_runs() == [(memory.run, "crawl-1")]


def test_an_asker_that_is_cancelled_does_no_harm(memory: Memory, ledger: Ledger, gate: Gate) -> None:
    complaints: list[Any] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        asked = [asyncio.ensure_future(memory.settle(entry(f"u{number}", str(number)))) for number in range(3)]
        await asyncio.to_thread(gate.reached.wait, SECONDS)
        asked[0].cancel()
        asked[1].cancel()
        await turns()
        gate.opened.set()
        done = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in done] == [asyncio.CancelledError, asyncio.CancelledError, Outcome]
        assert await memory.recall(key("u2"))

    run(scenario())
    assert ledger.find(key("u2"))
    assert complaints == []


@contextmanager
def without_rows(path: Path) -> Iterator[None]:
    """The ledger with its table out of the way: every question fails inside SQLite."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("ALTER TABLE media RENAME TO elsewhere")
        yield
        database.execute("ALTER TABLE elsewhere RENAME TO media")


def test_an_error_reaches_every_asker_and_the_next_is_served(memory: Memory, path: Path) -> None:
    async def scenario() -> None:
        with without_rows(path):
            failed = await asyncio.gather(
                *(memory.recall(key(f"u{number}")) for number in range(50)), return_exceptions=True
            )
        assert {type(error) for error in failed} == {LedgerError}
        assert "no such table" in str(failed[0]) and str(path) in str(failed[0])
        assert await memory.settle(entry("u")) is Outcome.STORED

    run(scenario())


def test_a_group_that_fails_leaves_nothing(memory: Memory, ledger: Ledger, path: Path) -> None:
    async def scenario() -> None:
        with without_rows(path):
            asked = (memory.enter_folder("images", "cats"), memory.recall(key("u")))
            failed = await asyncio.gather(*asked, return_exceptions=True)
        if isinstance(failed[0], LedgerError):  # both were one group
            assert ledger.folders(memory.run) == []
        await memory.enter_folder("images", "cats")
        assert ledger.folders(memory.run) == [("images", "cats")]

    run(scenario())


def test_a_value_that_cannot_be_kept_is_the_trouble_of_its_own_asker(memory: Memory) -> None:
    async def scenario() -> list[Any]:
        bad = entry("bad", rank=2**63)
        rows = [entry("u0", "0"), entry("u1", "1"), bad, entry("u2", "2"), entry("u3", "3")]
        return await asyncio.gather(*map(memory.settle, rows), return_exceptions=True)

    done = run(scenario())
    assert isinstance(done.pop(2), OverflowError)
    assert done == ["stored"] * 4


def test_close_answers_what_was_asked_before(path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, gate = Memory(path, "crawl-1"), Gate()
    gate.guard(memory._ledger, monkeypatch)
    join = memory._thread.join

    def open_and_join() -> None:
        gate.opened.set()
        join()

    async def scenario() -> list[Outcome]:
        asked = [asyncio.ensure_future(memory.settle(entry(f"u{number}", str(number)))) for number in range(700)]
        await turns()
        monkeypatch.setattr(memory._thread, "join", open_and_join)
        memory.close()
        return await asyncio.gather(*asked)

    assert run(scenario()) == ["stored"] * 700
    assert len(list(ledger.held())) == 700


def test_close_ends_the_run_and_lets_go(path: Path, ledger: Ledger) -> None:
    for number in (1, 2):
        memory = Memory(path, "crawl-1")
        assert memory.run == number
        run(memory.enter_folder("images", "cats"))
        memory.close()
        assert ledger.open_runs() == []
        assert ledger.folders(number) == []
        assert list((path.parent / "running").iterdir()) == []


def test_a_full_disk_reaches_every_asker_and_room_is_used_again(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(path.parent), "-o"]
    done = subprocess.run([*mount, "size=1m"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")
    try:
        run(_fill_and_go_on(path, [*mount, "remount,size=16m"]))
    finally:
        subprocess.run(["umount", path.parent], check=True)


async def _fill_and_go_on(path: Path, make_room: list[str]) -> None:
    rows = [entry(f"u{number:05}", str(number), item="x" * 1000) for number in range(5000)]
    with closing(Memory(path, "crawl-1")) as memory:
        answers = await asyncio.gather(*map(memory.settle, rows), return_exceptions=True)
        failed = [answer for answer in answers if answer != "stored"]
        assert failed and all(isinstance(error, LedgerError) and error.full for error in failed)
        await asyncio.to_thread(subprocess.run, make_room, check=True)
        answered = {row.url for row, answer in zip(rows, answers, strict=True) if answer == "stored"}
        assert {row.url for row in memory._ledger.held()} == answered
        assert await memory.settle(entry("after", "after")) is Outcome.STORED


# One crawl at a time


@pytest.mark.usefixtures("impatient")
def test_the_same_crawl_is_refused_in_one_process(path: Path) -> None:
    with closing(Memory(path, "crawl-1")):
        with pytest.raises(AlreadyRunningError, match="running already"):
            Memory(path, "crawl-1")
        with closing(Memory(path, "crawl-2")):
            assert running_crawls(path) == ["crawl-1", "crawl-2"]
        assert running_crawls(path) == ["crawl-1"]
    assert running_crawls(path) == []
    with closing(Memory(path, "crawl-1")) as memory:
        assert memory.run == 3, "a refused crawl is no run"


def test_the_same_crawl_is_refused_from_another_process(path: Path, memory: Memory) -> None:
    code = """if True:
        import sys
        from pathlib import Path
        from imagecrawl.memory import AlreadyRunningError, Memory, running_crawls
        path = Path(sys.argv[1])
        print(running_crawls(path))
        try:
            Memory(path, "crawl-1")
        except AlreadyRunningError:
            print("refused")
        Memory(path, "crawl-2").close()
    """
    done = subprocess.run(
        [sys.executable, "-c", code, path], cwd=ROOT, env=environment(path.parent), capture_output=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.stdout.splitlines(), done.returncode) == (["['crawl-1']", "refused"], 0), done.stderr
    assert running_crawls(path) == ["crawl-1"]


@pytest.mark.usefixtures("impatient")
def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    with writer(path, 1) as process:
        assert running_crawls(path) == ["writer-1"]
        with pytest.raises(AlreadyRunningError):
            Memory(path, "writer-1")
        tell(process)
        assert said(process)
        process.kill()
        process.wait()
    assert [file.name for file in (path.parent / "running").iterdir()] == ["writer-1.lock"]
    assert running_crawls(path) == []
    Memory(path, "writer-1").close()


def test_a_process_that_ends_in_order_leaves_no_lock(path: Path) -> None:
    with writer(path, 1) as process:
        pipe(process.stdin).close()
        assert process.wait() == 0
    assert list((path.parent / "running").iterdir()) == []


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_is_asked_for_while_it_is_let_go_is_never_held_twice(path: Path) -> None:
    """The lock file is removed on release: one opened before that is no lock any more."""
    first, second, third = (CrawlLock(path, "crawl-1") for _ in range(3))
    first.acquire()
    waiting = os.open(path.parent / "running" / "crawl-1.lock", os.O_RDWR)
    first.release()
    second.acquire()
    assert os.fstat(waiting).st_nlink == 0
    os.close(waiting)
    with pytest.raises(AlreadyRunningError):
        third.acquire()
    second.release()
    third.acquire()
    third.release()


def test_a_memory_that_does_not_open_lets_go_of_its_lock(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no ledger at all" * 1000)
    with pytest.raises(LedgerError, match="is damaged"):
        Memory(path, "crawl-1")
    assert list((path.parent / "running").iterdir()) == []
    path.unlink()
    Memory(path, "crawl-1").close()


def test_a_folder_that_cannot_hold_locks_is_said(path: Path) -> None:
    path.parent.mkdir()
    (path.parent / "running").write_text("in the way", "utf-8")
    with pytest.raises(LedgerError, match=r"crawl-1\.lock cannot be written"):
        Memory(path, "crawl-1")


# What killed runs leave


def leave(path: Path, run: int, folder: str = "cats") -> Path:
    part = path.parent / "images" / folder / "320" / f".0123456789.jpg.{run}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(b"half")
    return part


def killed_run(ledger: Ledger, crawl: str, *folders: str) -> int:
    """A run as ``kill -9`` leaves it: begun, not ended, and nobody holds its lock."""
    number = ledger.begin_run(crawl)
    for folder in folders:
        ledger.enter_folder(number, "images", folder)
    return number


@pytest.mark.parametrize("crawl", ["killed", "another"])
def test_any_crawl_sweeps_up_what_a_killed_run_left(path: Path, ledger: Ledger, crawl: str) -> None:
    runs = [killed_run(ledger, "killed", "cats", "dogs"), killed_run(ledger, "killed", "cats")]
    gone = [leave(path, runs[0]), leave(path, runs[0], "dogs"), leave(path, runs[1])]
    kept = [leave(path, 100 + runs[0]), gone[0].with_name("0123456789.jpg"), leave(path, runs[1], "birds")]
    kept[1].write_bytes(b"whole")
    with closing(Memory(path, crawl)) as memory:
        assert [file.exists() for file in gone] == [False] * 3
        assert [file.exists() for file in kept] == [True] * 3
        assert ledger.open_runs() == [(memory.run, crawl)]
    assert ledger.open_runs() == []
    assert list((path.parent / "running").iterdir()) == []


def test_what_a_live_run_has_half_written_is_left_alone(path: Path, ledger: Ledger) -> None:
    dead = killed_run(ledger, "killed", "cats")
    with closing(Memory(path, "live")) as live:
        run(live.enter_folder("images", "cats"))
        parts = [leave(path, live.run), leave(path, dead)]
        again = killed_run(ledger, "killed", "cats")
        parts.append(leave(path, again))
        with closing(Memory(path, "next")) as memory:
            assert [part.exists() for part in parts] == [True, True, False], "the dead one was swept up before"
            assert ledger.open_runs() == [(live.run, "live"), (memory.run, "next")]
        assert ledger.folders(live.run) == [("images", "cats")]
        assert parts[0].exists()


def test_a_live_run_of_another_process_is_left_alone(path: Path, ledger: Ledger) -> None:
    with writer(path, 1) as process:
        [(live, _)] = ledger.open_runs()
        ledger.enter_folder(live, "images", "cats")
        part = leave(path, live)
        Memory(path, "next").close()
        assert part.exists()
        process.kill()
        process.wait()
    Memory(path, "next").close()
    assert not part.exists()


def test_a_store_of_a_killed_run_that_is_gone_is_no_trouble(path: Path, ledger: Ledger) -> None:
    killed_run(ledger, "killed", "cats")
    remote = killed_run(ledger, "killed")
    ledger.enter_folder(remote, "s3://bucket/", "cats")
    with closing(Memory(path, "next")) as memory:
        assert ledger.open_runs() == [(memory.run, "next")]


def test_a_store_of_a_killed_run_that_cannot_be_swept_stops_nobody(
    path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = killed_run(ledger, "killed", "cats")
    (path.parent / "images").mkdir(exist_ok=True)

    def fail(self: LocalStore, folder: str, number: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(LocalStore, "sweep", fail)
        Memory(path, "next").close()
    assert killed in [run for run, _ in ledger.open_runs()]
    Memory(path, "next").close()
    assert not ledger.open_runs()


def test_a_killed_crawl_can_begin_again_while_another_sweeps_up_after_it(
    path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_run(ledger, "killed", "cats")
    (path.parent / "images").mkdir(exist_ok=True)
    sweep, acquire, tried = LocalStore.sweep, FileLock._acquire, Event()
    begun: list[int] = []

    def begin() -> None:
        with closing(Memory(path, "killed")) as memory:
            begun.append(memory.run)

    beginner = Thread(target=begin)

    def try_once(self: FileLock) -> None:
        acquire(self)
        if current_thread() is beginner:
            tried.set()

    def sweep_meanwhile(self: LocalStore, folder: str, number: int) -> None:
        beginner.start()
        assert tried.wait(SECONDS)
        sweep(self, folder, number)

    monkeypatch.setattr(FileLock, "_acquire", try_once)
    monkeypatch.setattr(LocalStore, "sweep", sweep_meanwhile)
    Memory(path, "next").close()
    beginner.join()
    assert len(begun) == 1


BEGINNER = """
import sys
from pathlib import Path
from imagecrawl.memory import Memory
for line in sys.stdin:
    Memory(Path(line.strip()), "crawl-" + sys.argv[1]).close()
    print("closed", flush=True)
"""


@pytest.mark.slow
def test_crawls_that_begin_in_one_moment_do_not_refuse_one_another(tmp_path: Path) -> None:
    """Each of these ledgers is made by whoever comes first."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BEGINNER, str(number)], cwd=ROOT, env=environment(tmp_path),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )
        for number in range(4)
    ]  # fmt: skip
    for number in range(15):
        for process in processes:
            assert process.stdin
            process.stdin.write(f"{tmp_path}/{number}/ledger.sqlite3\n")
            process.stdin.flush()
        assert [process.stdout and process.stdout.readline() for process in processes] == ["closed\n"] * 4
    for process in processes:
        assert process.communicate(timeout=SECONDS)[1] == ""


def test_a_group_that_cannot_begin_fails_at_once(memory: Memory, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    begun = []

    def locked() -> None:
        begun.append(1)
        raise LedgerError("locked")

    monkeypatch.setattr(memory._ledger, "transaction", locked)

    async def scenario() -> list[Any]:
        return await asyncio.gather(*(memory.recall(key(f"u{n}")) for n in range(50)), return_exceptions=True)

    assert {type(answer) for answer in run(scenario())} == {LedgerError}
    assert len(begun) < 5


def test_what_a_run_has_met_it_knows_though_another_run_met_it_since(memory: Memory, path: Path) -> None:
    run(memory.settle(entry("u", run=memory.run)))
    with closing(Memory(path, "another")) as another:
        assert run(memory.recall(key("u")))
        run(another.recall(key("u")))
        found = run(memory.recall(key("u")))
    assert found
    assert found.run == memory.run


# Of a crawler


@pytest.mark.usefixtures("impatient")
def test_a_crawl_has_one_memory_that_closes_with_its_engine(path: Path, ledger: Ledger) -> None:
    def crawler(**arguments: str) -> Any:
        made = get_crawler(settings_dict={"LEDGER": str(path)})
        made.spider = Spider("test", **arguments)
        return made

    one = crawler()
    memory = Memory.of(one)
    assert Memory.of(one) is memory
    assert [crawl for _, crawl in ledger.open_runs()] == [crawl_name("test", {})]
    with pytest.raises(AlreadyRunningError):
        Memory.of(crawler())
    run(one.signals.send_catch_log_async(signals.engine_stopped))
    assert ledger.open_runs() == []
    assert running_crawls(path) == []


class Params(SpiderParams):
    q: str
    limit: int = 100


NAMES: list[tuple[dict[str, Any], Callable[[str, str], bool]]] = [
    ({"q": "cats", "_job": "1"}, str.__eq__),
    ({"_job": "2", "limit": 100, "q": "cats"}, str.__eq__),
    ({"limit": "100", "q": "cats "}, str.__eq__),
    ({"q": "dogs"}, str.__ne__),
    ({"q": "cats", "limit": 99}, str.__ne__),
]


@pytest.mark.parametrize(("arguments", "compared"), NAMES)
def test_a_crawl_is_its_spider_and_its_arguments(arguments: Any, compared: Any) -> None:
    name = crawl_name("google_images", Params(q="cats"))
    assert compared(crawl_name("google_images", Params(**arguments)), name)
    assert crawl_name("urls", Params(q="cats")) != name
    assert crawl_name("google_images", {"q": "cats", "_job": "1"}) == crawl_name("google_images", {"q": "cats"}) != name
    assert name == f"google_images-{name[-12:]}" and name[-12:].isalnum()
