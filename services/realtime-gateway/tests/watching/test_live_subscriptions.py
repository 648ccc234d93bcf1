"""Which live subjects the gateway listens to."""

from tests.support import eventually
from tests.support.gateway import hear_until, is_frame, joined, serving


async def test_above_the_limit_one_subscription_receives_the_live_messages_of_all_jobs(server, play):
    runners = [await play() for _ in range(4)]
    async with serving(server, single_watches=2) as served:
        subscriptions = served.gateway.watches.subscriptions
        watchers = [await served.flat(runner.job_id) for runner in runners]
        for runner in runners:
            await joined(served, runner.job_id)
        await eventually(lambda: (subscriptions.takes_all, len(subscriptions._single)) == (True, 0))
        for runner, watcher in zip(runners, watchers, strict=True):
            await runner.frame(1, 2)
            await hear_until(watcher, is_frame(1))

        for watcher in watchers[1:]:
            await watcher.close()
        await eventually(lambda: (subscriptions.takes_all, len(subscriptions._single)) == (False, 1))
        await runners[0].frame(2, 2)
        await hear_until(watchers[0], is_frame(2))
        await watchers[0].close()
