import * as api from "replicator@v2";

// A column stays at the source.

const TARGET_SCHEMA_NAME = "defaultdb.public";
const TABLE_TO_EDIT = "items";

api.configureTargetSchema(TARGET_SCHEMA_NAME, {
  onRowUpsert: (row, meta) => {
    if (meta.table === TABLE_TO_EDIT) {
      if ("qty" in row) delete row["qty"];
    }
    return row;
  },
  onRowDelete: (row, meta) => row,
});
