//! The paper account, and the guard in front of any: one program, since each is linked with all there is.

mod desk;
mod fills;
mod guard;
mod halts;
mod limits;
mod live;
mod paper;
mod scenarios;
