use wecom_login_element::{BoxFuture, Call, Code, Next, Outcome, Type};

/// A sign-in that tells the company's mail address, too.
pub(crate) struct WithMail;

impl Type for WithMail {
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            let is_sign_in = call.function == "getLoginCode";
            let mut outcome = next.call(call).await?;
            if is_sign_in {
                let user_id = outcome.value["userId"].as_str().unwrap_or_default().to_lowercase();
                outcome.value["companyMail"] = format!("{user_id}@example.com").into();
            }
            Ok(outcome)
        })
    }
}
