use policy::act::Act;
use policy::gate::Permit;

fn main() {}

fn take(permit: Permit<Act>) -> Act {
    permit.payload
}

fn change(permit: &mut Permit<Act>) {
    permit.payload = Act::Spawn { task: "something else".into() };
}

