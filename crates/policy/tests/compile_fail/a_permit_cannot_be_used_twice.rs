use policy::act::Act;
use policy::gate::Permit;

fn main() {}

fn run(permit: Permit<Act>) {
    drop(permit);
}

fn twice(permit: Permit<Act>) {
    run(permit);
    run(permit);
}

fn opened(permit: Permit<Act>) {
    drop(permit.open());
    drop(permit.open());
}
