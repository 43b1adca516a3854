"""Attribution of tables that stay outside the database: read in this process, or by Apache Spark."""
