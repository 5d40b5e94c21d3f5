//! Which socket a chain gets a place on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use crate::link::SocketId;
use crate::tasks::Spawner;
use crate::websocket_link::{Desk, Joiner, MAX_ORDERS, NotOpened, OpenSocket, Order, carry};

/// How many chains wait for a place at once.
pub(crate) const MAX_JOINERS: usize = 256;

/// Opens a socket.
pub(crate) type Opener = Arc<dyn Fn() -> BoxFuture<'static, Result<OpenSocket, NotOpened>> + Send + Sync>;

/// Keeps the sockets to one server.
pub(crate) struct Lines {
    pub(crate) spawner: Spawner,
    pub(crate) opener: Opener,
    /// How many lanes a socket has.
    pub(crate) lanes: usize,
    /// Up to which age a socket takes more chains.
    pub(crate) young: Duration,
}

/// The socket that was opened last: the only one that takes more chains.
struct Current {
    id: SocketId,
    orders: mpsc::Sender<Order>,
}

impl Lines {
    /// Gives each joiner a place, for as long as the client lives. `back` is the other end of `joiners`: a socket that
    /// cannot take a chain sends it back.
    pub(crate) async fn keep(self, mut joiners: mpsc::Receiver<Joiner>, back: mpsc::Sender<Joiner>) {
        let mut current: Option<Current> = None;
        let mut opened = 0;
        while let Some(joiner) = joiners.recv().await {
            let joiner = match &current {
                Some(current) => match current.seat(joiner) {
                    Ok(()) => continue,
                    Err(joiner) => joiner,
                },
                None => joiner,
            };
            opened += 1;
            let (sender, orders) = mpsc::channel(MAX_ORDERS);
            let id = SocketId(opened);
            current = (self.lanes > 1).then(|| Current { id, orders: sender.clone() });
            let (lanes, young) = (self.lanes, self.young);
            let desk = Desk { id, orders, sender, back: back.clone(), lanes, young };
            self.spawner.spawn(carry((self.opener)(), joiner, desk));
        }
    }
}

impl Current {
    /// A place here, unless the chain has been here, or there is none.
    fn seat(&self, joiner: Joiner) -> Result<(), Joiner> {
        if joiner.after.is_some_and(|after| self.id <= after) {
            return Err(joiner);
        }
        match self.orders.try_reserve() {
            Ok(order) => {
                order.send(Order::Join(joiner));
                Ok(())
            }
            Err(_) => Err(joiner),
        }
    }
}
