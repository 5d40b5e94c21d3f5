use policy::act::Act;
use policy::gate::{Open, Permit};

fn main() {}

fn payload(permit: Permit<Act>) -> Act {
    let Permit { payload, .. } = permit;
    payload
}

fn guard(open: Open) {
    let Open { guard } = open;
    drop(guard);
}
