use wecom_login_element::{BoxFuture, Call, Code, Next, Outcome, Type};

/// Lets nobody in but the members of department 2.
pub(crate) struct OneDepartment;

impl Type for OneDepartment {
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            let is_sign_in = call.function == "getLoginCode";
            let outcome = next.call(call).await?;
            let departments = outcome.value["department"].as_array();
            if is_sign_in && !departments.is_some_and(|departments| departments.contains(&2.into())) {
                return Err(Code::new(9_000_001, "only members of department 2 may sign in here"));
            }
            Ok(outcome)
        })
    }
}
