use policy::budget::{Reservation, Spent};

fn main() {}

fn twice(reservation: Reservation) {
    reservation.settle(&Spent::default());
    reservation.settle(&Spent::default());
}

fn cloned(reservation: Reservation) -> (Reservation, Reservation) {
    (reservation.clone(), reservation)
}
