import * as api from "replicator@v2";

// One table without its soft-deleted rows and without columns that are nobody's business; the others as they are.

const TARGET_SCHEMA_NAME = "defaultdb.public";
const TABLE_TO_EDIT = "customers";

api.configureTargetSchema(TARGET_SCHEMA_NAME, {
  onRowUpsert: (row, meta) => {
    if (meta.table !== TABLE_TO_EDIT) {
      return row;
    }
    if (Number(row.is_deleted as string) === 1) {
      return null;
    }
    const cleaned = { ...row };
    delete cleaned["ssn"];
    delete cleaned["credit_card_number"];
    return cleaned;
  },
  onRowDelete: (row, meta) => row,
});
