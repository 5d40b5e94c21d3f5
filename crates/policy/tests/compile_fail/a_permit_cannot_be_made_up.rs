use policy::act::Act;
use policy::gate::{Open, Permit};

fn main() {
    let _ = Permit::new(Act::Spawn { task: "anything".into() }, ());
    let _: Permit<Act> = Default::default();
    let _: Permit<Act> = Act::Spawn { task: "anything".into() }.into();
    let _: Open = Default::default();
}
