//! Converts OpenMetrics to Prometheus' older text format, in which a counter has the name of its samples (`_total`), units
//! have no line, and there is no end marker.

use std::fmt::Write as _;

/// The metrics in Prometheus' format 0.0.4.
pub(super) fn plain(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            // The name to print depends on the type, which is on the next line.
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, words)) = help.take() {
                let _ = writeln!(text, "# HELP {name}{suffix} {words}");
            }
            let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn counters_get_their_samples_name_and_the_rest_stays() {
        let open = "# HELP a_b Things that were.\n# TYPE a_b counter\na_b_total{x=\"# y\"} 1\n\
                    # HELP age_seconds Age.\n# TYPE age_seconds gauge\n# UNIT age_seconds seconds\nage_seconds 2\n# EOF\n";
        let expected = "# HELP a_b_total Things that were.\n# TYPE a_b_total counter\na_b_total{x=\"# y\"} 1\n\
                        # HELP age_seconds Age.\n# TYPE age_seconds gauge\nage_seconds 2\n";
        assert_eq!(plain(open), expected);
    }
}
