//! The paths that belong to this server: those of its routes, and those reserved for future use.

/// Own paths, derived from the routes. An instance's redirectUri and a domain file must have other paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnPaths {
    exact: Vec<&'static str>,
    /// Each prefix ends in a slash, or is the beginning of a file name.
    prefixes: Vec<&'static str>,
}

impl OwnPaths {
    /// The own paths of route patterns: `/login` is one path, `/assets/{file}` stands for all paths below `/assets/`, and
    /// `/console/` also for `/console`.
    pub(crate) fn of(patterns: impl IntoIterator<Item = &'static str>) -> Self {
        let mut own = Self { exact: Vec::new(), prefixes: Vec::new() };
        for pattern in patterns {
            match pattern.split_once('{') {
                Some((prefix, _)) => own.prefixes.push(prefix),
                None if pattern.len() > 1 && pattern.ends_with('/') => own.prefixes.push(pattern),
                None => own.exact.push(pattern),
            }
        }
        own
    }

    /// The own path or prefix that matches `path`, if any.
    pub(crate) fn at(&self, path: &str) -> Option<&'static str> {
        let is_below = |prefix: &&str| path.starts_with(*prefix) || prefix.strip_suffix('/') == Some(path);
        let prefix = self.prefixes.iter().copied().find(is_below);
        self.exact.iter().copied().find(|exact| *exact == path).or(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_what_its_route_takes() {
        let own = OwnPaths::of(["/", "/login", "/assets/{file}", "/console/", "/WW_verify_{file}"]);
        for (path, taken_by) in [
            ("/", "/"),
            ("/login", "/login"),
            ("/assets/app.css", "/assets/"),
            ("/assets", "/assets/"),
            ("/console", "/console/"),
            ("/console/api/sync", "/console/"),
            ("/WW_verify_abc.txt", "/WW_verify_"),
        ] {
            assert_eq!(own.at(path), Some(taken_by), "{path}");
        }
        for path in ["/login/", "/logins", "/assetsx", "/auth/wecom", "/consoles", "//login"] {
            assert_eq!(own.at(path), None, "{path}");
        }
    }
}
