import asyncio
import os
import signal

import pytest

from localring.ending import SIGNALS, Ending


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_cancels_the_command_which_still_cleans_up(
    number: signal.Signals,
) -> None:
    cleaned = []

    async def command() -> int:
        try:
            send(number)
            await asyncio.Event().wait()
        finally:
            cleaned.append(number)
        return 0

    assert await Ending().run(command()) == 128 + number
    assert cleaned == [number]


async def test_a_second_signal_does_not_disturb_the_cleaning_up() -> None:
    async def command() -> int:
        try:
            send(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            send(signal.SIGINT)
            send(signal.SIGTERM)
            for _ in range(5):  # turns in which the signals are heard
                await asyncio.sleep(0)
            cleaned.set()
        return 0

    cleaned = asyncio.Event()
    assert await Ending().run(command()) == 128 + signal.SIGINT
    assert cleaned.is_set()


async def test_a_ctrl_c_while_it_rests_is_the_usual_end() -> None:
    ending = Ending()

    async def command() -> int:
        asyncio.get_running_loop().call_soon(send, signal.SIGINT)
        await ending.rest(60)
        return 7

    assert await ending.run(command()) == 7


async def test_any_other_signal_cancels_its_rest_too() -> None:
    ending = Ending()

    async def command() -> int:
        asyncio.get_running_loop().call_soon(send, signal.SIGTERM)
        await ending.rest(60)
        return 7

    assert await ending.run(command()) == 128 + signal.SIGTERM


async def test_a_rest_ends_by_itself() -> None:
    ending = Ending()

    async def command() -> int:
        await ending.rest(0)
        return 0

    assert await ending.run(command()) == 0


async def test_a_failure_of_the_command_is_not_swallowed() -> None:
    async def command() -> int:
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        await Ending().run(command())
