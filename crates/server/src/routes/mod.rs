//! Routes: what is declared of each ([`route`]), all of them ([`table`]), and what is derived: the router and the own paths.

pub(crate) mod own_paths;
pub(crate) mod route;
pub(crate) mod router;
pub(crate) mod table;
