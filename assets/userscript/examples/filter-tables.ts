import * as api from "replicator@v2";

// Everything is replicated but a set of tables.

const TARGET_SCHEMA_NAME = "defaultdb.public";
const TABLES_TO_SKIP = new Set(["audit_log", "sessions"]);

function chosen(row: api.Row, meta: api.Metadata) {
  return TABLES_TO_SKIP.has(meta.table) ? null : row;
}

api.configureTargetSchema(TARGET_SCHEMA_NAME, { onRowUpsert: chosen, onRowDelete: chosen });
