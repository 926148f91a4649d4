//! The two sets of migrations describe the same tables.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection as _, Row as _};
use wecom_login_store::Store;

use crate::backends::{address, empty_database, postgres};

#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name, kind, and whether it must be given.
    columns: BTreeMap<String, (String, bool)>,
    primary: Vec<String>,
    /// The columns of each key, the primary one among them.
    unique: BTreeSet<Vec<String>>,
    /// Name and columns of what only makes it faster.
    indexes: BTreeMap<String, Vec<String>>,
    /// Column, table and column that it points to, and what becomes of the row.
    references: BTreeSet<(String, String, String, String)>,
}

type Schema = BTreeMap<String, Table>;

fn kind(declared: &str) -> String {
    match declared.to_ascii_uppercase().as_str() {
        "INTEGER" | "BIGINT" => "number",
        "TEXT" => "text",
        "BOOLEAN" => "truth",
        "BLOB" | "BYTEA" => "bytes",
        other => panic!("{other} is none of the kinds that both have"),
    }
    .to_owned()
}

#[tokio::test]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn both_backends_have_the_same_tables_columns_and_keys() {
    let (mut sqlite, postgres) = (of_sqlite().await, of_postgres().await);
    assert!(sqlite.remove("read_numbers").is_some(), "PostgreSQL has a sequence of that name");
    assert!(sqlite.len() > 8 && sqlite["sessions"].unique.len() > 2, "{sqlite:#?}");
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    for (name, table) in &sqlite {
        assert_eq!(*table, postgres[name], "table {name}: left SQLite, right PostgreSQL");
    }
}

async fn of_sqlite() -> Schema {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    Store::open_sqlite(&path).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let mut rows =
        async |text: String| sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_sqlx*' AND name NOT GLOB 'sqlite_*'";
    let mut schema = Schema::new();
    for row in rows(tables.to_owned()).await {
        let name: String = row.get("name");
        let mut table = Table::default();
        let mut primary: Vec<(i64, String)> = Vec::new();
        for column in rows(format!("PRAGMA table_info({name})")).await {
            let (name, place): (String, i64) = (column.get("name"), column.get("pk"));
            if place > 0 {
                primary.push((place, name.clone()));
            }
            let required = place > 0 || column.get::<i64, _>("notnull") == 1;
            table.columns.insert(name, (kind(column.get("type")), required));
        }
        primary.sort();
        table.primary = primary.into_iter().map(|(_, column)| column).collect();
        table.unique.insert(table.primary.clone());
        for index in rows(format!("PRAGMA index_list({name})")).await {
            let index_name: String = index.get("name");
            let columns = rows(format!("PRAGMA index_info({index_name})")).await;
            let columns: Vec<String> = columns.iter().map(|column| column.get("name")).collect();
            if index.get::<i64, _>("unique") == 1 {
                table.unique.insert(columns);
            } else {
                table.indexes.insert(index_name, columns);
            }
        }
        for key in rows(format!("PRAGMA foreign_key_list({name})")).await {
            let text = |column: &str| key.get::<String, _>(column);
            table.references.insert((text("from"), text("table"), text("to"), text("on_delete")));
        }
        schema.insert(name, table);
    }
    schema
}

async fn of_postgres() -> Schema {
    let name = empty_database().await;
    Store::open_postgres(&postgres(&name)).await.unwrap().close().await;
    let mut connection = sqlx::PgConnection::connect(&address(&name)).await.unwrap();
    let mut rows = async |text: &'static str| sqlx::query(text).fetch_all(&mut connection).await.unwrap();
    let mut schema = Schema::new();
    let columns =
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' AS nullable,
                   collation_name::text
                   FROM information_schema.columns WHERE table_schema = 'public' AND table_name !~ '^_sqlx'";
    for row in rows(columns).await {
        let table = schema.entry(row.get("table_name")).or_default();
        let (column, kind) = (row.get::<String, _>("column_name"), kind(row.get("data_type")));
        if kind == "text" {
            assert_eq!(row.get::<Option<String>, _>("collation_name").as_deref(), Some("C"), "{column}");
        }
        table.columns.insert(column, (kind, !row.get::<bool, _>("nullable")));
    }
    let indexes = "SELECT relation.relname::text AS table_name, name.relname::text AS index_name,
                   indisunique, indisprimary,
                   ARRAY(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS place (number, turn)
                         JOIN pg_attribute ON attrelid = indrelid AND attnum = number ORDER BY turn) AS columns
                   FROM pg_index JOIN pg_class AS relation ON relation.oid = indrelid
                   JOIN pg_class AS name ON name.oid = indexrelid
                   WHERE relation.relnamespace = 'public'::regnamespace AND relation.relname !~ '^_sqlx'";
    for row in rows(indexes).await {
        let table = schema.get_mut(&row.get::<String, _>("table_name")).unwrap();
        let columns: Vec<String> = row.get("columns");
        if row.get("indisprimary") {
            table.primary.clone_from(&columns);
        }
        if row.get("indisunique") {
            table.unique.insert(columns);
        } else {
            table.indexes.insert(row.get("index_name"), columns);
        }
    }
    let references = "SELECT conrelid::regclass::text AS table_name, confrelid::regclass::text AS other,
                      (SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) AS from_column,
                      (SELECT attname::text FROM pg_attribute WHERE attrelid = confrelid AND attnum = confkey[1]) AS to_column,
                      CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END AS on_delete
                      FROM pg_constraint WHERE contype = 'f'";
    for row in rows(references).await {
        let text = |column: &str| row.get::<String, _>(column);
        let reference = (text("from_column"), text("other"), text("to_column"), text("on_delete"));
        schema.get_mut(&text("table_name")).unwrap().references.insert(reference);
    }
    schema
}
