import asyncio

from imagecrawl.quota import Quota


def run(scenario):
    return asyncio.run(scenario())


def test_room_is_given_up_to_the_limit() -> None:
    async def scenario() -> list[bool]:
        quota = Quota(2)
        answers = []
        for _ in range(2):
            answers.append(await quota.room())
            quota.take()
        quota.settle(in_place=True)
        quota.settle(in_place=True)
        answers.append(await quota.room())
        return answers

    assert run(scenario) == [True, True, False]


def test_room_waits_for_an_outcome_and_a_failure_makes_room() -> None:
    async def scenario() -> tuple[bool, bool]:
        quota = Quota(1)
        await quota.room()
        quota.take()
        asking = asyncio.ensure_future(quota.room())
        await asyncio.sleep(0)
        waiting = not asking.done()
        quota.settle(in_place=False)
        return waiting, await asking

    assert run(scenario) == (True, True)


def test_drained_waits_for_everything_under_way() -> None:
    async def scenario() -> tuple[bool, int]:
        quota = Quota(5)
        quota.take()
        quota.take()
        drained = asyncio.ensure_future(quota.drained())
        quota.settle(in_place=True)
        await asyncio.sleep(0)
        early = drained.done()
        quota.settle(in_place=False)
        await drained
        return early, quota.under_way

    assert run(scenario) == (False, 0)


def test_two_who_wait_are_both_woken() -> None:
    async def scenario() -> list[bool]:
        quota = Quota(1)
        quota.take()
        waiting = [asyncio.ensure_future(quota.room()), asyncio.ensure_future(quota.room())]
        await asyncio.sleep(0)
        quota.settle(in_place=True)
        return await asyncio.gather(*waiting)

    assert run(scenario) == [False, False]
