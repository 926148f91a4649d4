use wecom_login_model::Timestamp;

use crate::database::{Transaction, sql};
use crate::{Error, Store};

/// The right to do something alone for a while. It outlives its holder by no more than its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which process has it, exactly.
    pub holder: String,
    /// The same for people.
    pub label: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, unless it is renewed.
    pub until: Timestamp,
}

impl Store {
    /// Takes the lease of that name if nobody has it, or if `dead` still has it; else tells who does.
    pub async fn take_lease(
        &self,
        name: &str,
        lease: &Lease,
        dead: Option<&str>,
    ) -> Result<Result<(), Lease>, Error> {
        loop {
            let taken =
                sql("INSERT INTO leases (name, holder, label, since, until) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, label = excluded.label,
                    since = excluded.since, until = excluded.until
                 WHERE leases.until <= excluded.since OR leases.holder = $6")
                .bind(name)
                .bind(&lease.holder)
                .bind(&lease.label)
                .bind(lease.since.as_millis())
                .bind(lease.until.as_millis())
                .bind(dead)
                .execute(self.database.writer())
                .await?;
            if taken == 1 {
                return Ok(Ok(()));
            }
            // Given back between the two questions: asked again.
            if let Some(other) = self.lease(name).await? {
                return Ok(Err(other));
            }
        }
    }

    /// Who has the lease, or had it last and did not give it back.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, Error> {
        let row = sql("SELECT holder, label, since, until FROM leases WHERE name = $1")
            .bind(name)
            .fetch_optional(self.database.reader())
            .await?;
        let lease = |row: crate::database::Row| {
            Ok(Lease {
                holder: row.get("holder")?,
                label: row.get("label")?,
                since: Timestamp::from_millis(row.get("since")?),
                until: Timestamp::from_millis(row.get("until")?),
            })
        };
        row.map(lease).transpose()
    }

    /// Moves the end of the lease; false when it is somebody else's by now.
    pub async fn renew_lease(&self, name: &str, holder: &str, until: Timestamp) -> Result<bool, Error> {
        let renewed = sql("UPDATE leases SET until = $1 WHERE name = $2 AND holder = $3")
            .bind(until.as_millis())
            .bind(name)
            .bind(holder)
            .execute(self.database.writer())
            .await?;
        Ok(renewed == 1)
    }

    /// Gives the lease back.
    pub async fn release_lease(&self, name: &str, holder: &str) -> Result<(), Error> {
        sql("DELETE FROM leases WHERE name = $1 AND holder = $2")
            .bind(name)
            .bind(holder)
            .execute(self.database.writer())
            .await?;
        Ok(())
    }
}

/// Fails unless the lease is still `holder`'s. In a transaction that writes, so nobody takes it before the end.
pub(crate) async fn check(transaction: &mut Transaction, name: &str, holder: &str) -> Result<(), Error> {
    let row = sql("UPDATE leases SET until = until WHERE name = $1 AND holder = $2")
        .bind(name)
        .bind(holder)
        .execute(&mut *transaction)
        .await?;
    if row == 1 { Ok(()) } else { Err(Error::lease_lost()) }
}
