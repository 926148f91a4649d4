//! Routes: the declaration of a route ([`route`]), all routes ([`table`]), and the router and own paths derived from them.

pub(crate) mod own_paths;
pub(crate) mod route;
pub(crate) mod router;
pub(crate) mod table;
