import * as api from "replicator@v2";

// Rows that are marked as deleted are not written. One that is marked later keeps the state that it had before.

const TARGET_SCHEMA_NAME = "defaultdb.public";

api.configureTargetSchema(TARGET_SCHEMA_NAME, {
  onRowUpsert: (row, meta) => {
    if (row.is_deleted !== undefined && Number(row.is_deleted) === 1) {
      return null;
    }
    return row;
  },
  onRowDelete: (row, meta) => row,
});
