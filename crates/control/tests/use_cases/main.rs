//! Tests of the use-cases with a real store and a simulated environment, one file for each
//! resource.

mod access;
mod catalogue;
mod cluster;
mod deadlines;
mod fixture;
mod health;
mod homes;
mod integrity;
mod launches;
mod logins;
mod my_applications;
mod nodes;
mod people;
mod sessions;
mod sign_in;
mod sound;
mod sweep;
mod time;
