//! The use-cases on a real store and a simulated environment, one file for each resource.

mod access;
mod alive;
mod catalogue;
mod cluster;
mod deadlines;
mod head;
mod house;
mod launches;
mod logins;
mod nodes;
mod people;
mod refresh;
mod sessions;
mod sign_in;
mod time;
