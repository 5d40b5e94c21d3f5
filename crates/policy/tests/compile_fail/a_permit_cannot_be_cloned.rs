use policy::act::Act;
use policy::gate::Permit;

fn main() {}

fn twice(permit: Permit<Act>) -> (Permit<Act>, Permit<Act>) {
    (permit.clone(), permit)
}
