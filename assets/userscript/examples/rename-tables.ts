import * as api from "replicator@v2";

// Tables have other names on the target.

const TARGET_SCHEMA_NAME = "defaultdb.public";
const TABLE_MAPPINGS = {
  "customer_table": "CUSTOMERS",
  "order_table": "ORDERS",
};

function renamed(row: api.Row, meta: api.Metadata) {
  if (meta.table in TABLE_MAPPINGS) {
    const target = TABLE_MAPPINGS[meta.table];
    return { [target]: [row] };
  }
  return row;
}

api.configureTargetSchema(TARGET_SCHEMA_NAME, { onRowUpsert: renamed, onRowDelete: renamed });
