use wecom_login_model::Timestamp;

use crate::database::{Statement, Transaction, sql};
use crate::{Error, Store};

/// The right to do something alone. No clock decides about it: its holder lives as long as `beats` grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The process that holds it, exactly.
    pub holder: String,
    /// The same for people.
    pub label: String,
    /// When it was taken, by the holder's clock.
    pub since: Timestamp,
    /// Grows with each renewal and with each transaction of the holder.
    pub beats: i64,
}

impl Store {
    /// Takes the lease of that name if nobody holds it, or if it is still as `lost` shows it: the same holder, and not one beat
    /// more. Otherwise returns the present lease.
    pub async fn take_lease(
        &self,
        name: &str,
        lease: &Lease,
        lost: Option<&Lease>,
    ) -> Result<Result<(), Lease>, Error> {
        loop {
            // A refused taker does not wait for a transaction of the holder, which locks the row on PostgreSQL.
            let present = self.lease(name).await?;
            if let Some(present) = present.filter(|present| lost != Some(present)) {
                return Ok(Err(present));
            }
            let taken =
                sql("INSERT INTO leases (name, holder, label, since, beats) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, label = excluded.label,
                    since = excluded.since, beats = excluded.beats
                 WHERE leases.holder = $6 AND leases.beats = $7")
                .bind(name)
                .bind(&lease.holder)
                .bind(&lease.label)
                .bind(lease.since.as_millis())
                .bind(lease.beats)
                .bind(lost.map(|lost| lost.holder.as_str()))
                .bind(lost.map(|lost| lost.beats))
                .execute(self.database.writer())
                .await?;
            if taken == 1 {
                return Ok(Ok(()));
            }
        }
    }

    /// The lease, if it was taken and not given back.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, Error> {
        let row = sql("SELECT holder, label, since, beats FROM leases WHERE name = $1")
            .bind(name)
            .fetch_optional(self.database.reader())
            .await?;
        let lease = |row: crate::database::Row| {
            Ok(Lease {
                holder: row.get("holder")?,
                label: row.get("label")?,
                since: Timestamp::from_millis(row.get("since")?),
                beats: row.get("beats")?,
            })
        };
        row.map(lease).transpose()
    }

    /// Shows that the holder lives. False if another one holds the lease.
    pub async fn renew_lease(&self, name: &str, holder: &str) -> Result<bool, Error> {
        Ok(beat(name, holder).execute(self.database.writer()).await? == 1)
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

/// Fails unless `holder` still holds the lease. Nobody takes it before the end of the transaction; after it, whoever has seen
/// no beat during a long transaction sees this one.
pub(crate) async fn check(transaction: &mut Transaction, name: &str, holder: &str) -> Result<(), Error> {
    let row = beat(name, holder).execute(&mut *transaction).await?;
    if row == 1 { Ok(()) } else { Err(Error::lease_lost()) }
}

fn beat(name: &str, holder: &str) -> Statement {
    sql("UPDATE leases SET beats = beats + 1 WHERE name = $1 AND holder = $2").bind(name).bind(holder)
}
