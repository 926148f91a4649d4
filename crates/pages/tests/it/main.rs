//! What every page promises, whatever it shows.
