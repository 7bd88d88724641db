//! An installation of many processes, and everything that can befall it: real nodes, schedulers, storage stages, Redis and
//! Postgres, killed, frozen, cut off and damaged while they work; judged by the web that was crawled and by the database.

mod cage;
mod costs;
mod crew;
mod faults;
mod files;
mod form;
mod installation;
mod judge;
mod lines;
mod many;
mod nodes;
mod operator;
mod overlaps;
mod postgres;
mod process;
mod redis;
mod schedulers;
mod slow;
mod storage;

use crate::servers::proxy::Weather;
