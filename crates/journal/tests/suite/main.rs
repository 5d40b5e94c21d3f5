//! The journal as its users see it.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod format;
#[cfg(test)]
mod gated;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod log;
#[cfg(test)]
mod review;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod together;
#[cfg(test)]
mod windows;
