use responses::chain::turn::BackingOff;

fn main() {}

fn broken(waiting: BackingOff) {
    waiting.broken();
}
