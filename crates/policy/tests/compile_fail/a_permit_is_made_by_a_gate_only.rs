use policy::gate::{Open, Permit};

fn main() {
    let _ = Permit { payload: "anything", guard: anything() };
    let _ = Open { guard: anything() };
}

fn anything<T>() -> T {
    loop {}
}
