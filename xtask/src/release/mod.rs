//! Everything that would be published.

#![allow(dead_code, reason = "the command `release` calls it")]

mod install;
