//! The data calls: what they send, how they wait, and that nothing is begun twice.

mod calls;
mod login;
mod reads;
mod sandbox;
mod wait;
