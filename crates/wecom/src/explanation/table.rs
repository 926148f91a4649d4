use wecom_login_model::{Actor, Bilingual, Explanation};

pub(super) const TABLE: &[Explanation] = &[];
