//! The introspection endpoint over real connections: who may ask, what is answered, and
//! what is refused.

mod answers;
mod callers;
mod certificates;
mod requests;
mod stage;
