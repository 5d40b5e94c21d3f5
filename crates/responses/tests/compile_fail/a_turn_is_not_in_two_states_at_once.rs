use responses::chain::Time;
use responses::chain::turn::Queued;

fn main() {}

fn waits_twice(queued: Queued, now: Time) {
    let first = queued.back_off(now);
    let second = queued.back_off(now);
    drop((first, second));
}
