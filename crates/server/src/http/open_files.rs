//! The operating system's limit on open files. Each connection is a file, and so are connections to the database, to Redis and
//! to WeCom. Without files, sign-ins fail while the process seems to be well.

/// Files besides those of connections and of PostgreSQL: standard streams, listeners, the metrics listener's connections, the
/// files of SQLite, Redis, the app folder, the audit file, the runtime's own.
const RESERVE: u64 = 64;
/// The files of one connection: its own, and one to WeCom for the sign-in that it may carry.
const FILES_OF_A_CONNECTION: u64 = 2;

/// Raises the soft limit on open files to what the server needs, and returns the number of connections that it leaves room
/// for: `most`, or fewer if the hard limit is too small. Then it logs a warning.
pub(crate) fn make_room_for(most: usize, database_connections: u32) -> usize {
    let reserve = RESERVE + u64::from(database_connections);
    let needed = (most as u64).saturating_mul(FILES_OF_A_CONNECTION).saturating_add(reserve);
    let Some(limit) = raise_to(needed) else { return most };
    let fitting = fitting(limit, reserve, most);
    if fitting < most {
        tracing::warn!(
            limit,
            needed,
            max_connections = most,
            connections = fitting,
            "the limit on open files is {limit}, and max_connections = {most} needs {needed}; at most {fitting} connections \
             are open at a time. Raise the hard limit (ulimit -n {needed}, or LimitNOFILE={needed} in a systemd unit), or \
             lower max_connections"
        );
    }
    fitting
}

/// The number of connections that the limit leaves room for, at least one.
fn fitting(limit: u64, reserve: u64, most: usize) -> usize {
    let room = limit.saturating_sub(reserve) / FILES_OF_A_CONNECTION;
    usize::try_from(room).unwrap_or(usize::MAX).clamp(1, most.max(1))
}

/// Raises the soft limit to this number if it is lower, as far as the hard limit allows. Returns the limit; `None` if there is
/// none.
#[cfg(unix)]
fn raise_to(needed: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let soft = current?;
    if soft >= needed {
        return Some(soft);
    }
    let raised = maximum.map_or(needed, |hard| needed.min(hard));
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => Some(raised),
        Err(error) => {
            tracing::debug!(%error, raised, "the limit on open files cannot be raised");
            Some(soft)
        }
    }
}

/// Sockets are no files there.
#[cfg(not(unix))]
fn raise_to(_needed: u64) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_kept_for_what_is_not_a_connection() {
        assert_eq!(fitting(256, 74, 4096), 91);
        assert_eq!(fitting(8266, 74, 4096), 4096);
        assert_eq!(fitting(8264, 74, 4096), 4095);
        assert_eq!(fitting(u64::MAX, 74, 4096), 4096);
        assert_eq!(fitting(16, 74, 4096), 1, "a server without a connection would be none");
    }
}
