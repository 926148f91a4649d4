//! Stories of the organisation's sync against the simulator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod changes;
mod damaged_answers;
mod events;
mod failures;
mod guard;
mod leavers;
mod meanwhile;
mod scopes;
mod tags_and_lists;
mod visibility;
mod world;
