import * as api from "replicator@v2";

// Everything is replicated but one table.

const TARGET_SCHEMA_NAME = "defaultdb.public";
const TABLE_TO_SKIP = "audit_log";

api.configureTargetSchema(TARGET_SCHEMA_NAME, {
  onRowUpsert: (row, meta) => {
    if (meta.table === TABLE_TO_SKIP) {
      return null;
    }
    return row;
  },
  onRowDelete: (row, meta) => {
    if (meta.table === TABLE_TO_SKIP) {
      return null;
    }
    return row;
  },
});
