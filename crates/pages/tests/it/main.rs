//! What every page promises, whatever it shows.

mod contrast;
mod every_page;
mod hooks;
mod markup;
mod values;
mod views;
