/* SPDX-License-Identifier: MIT */
/*
 * database load FILE [ORDERS] | query FILE: the workload Database, decision-support queries in the
 * manner of TPC-D over a set of the same shape, generated here (not the benchmark's own generator,
 * no claim to its rules). Each query prints a checksum of its rows.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

static sqlite3 *db;

static void fail(const char *what)
{
	fprintf(stderr, "database: %s: %s\n", what, db ? sqlite3_errmsg(db) : "no memory");
	exit(1);
}

static void run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(sql);
}

/* ---- the set ---- */

static uint64_t state = 19970618;

static unsigned int below(unsigned int limit)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (unsigned int)((state >> 33) % limit);
}

static const char *const schema =
	"PRAGMA journal_mode = off; PRAGMA synchronous = off;"
	"CREATE TABLE region(r_key INTEGER PRIMARY KEY, r_name TEXT);"
	"CREATE TABLE nation(n_key INTEGER PRIMARY KEY, n_name TEXT, n_region INT);"
	"CREATE TABLE supplier(s_key INTEGER PRIMARY KEY, s_name TEXT, s_nation INT);"
	"CREATE TABLE part(p_key INTEGER PRIMARY KEY, p_name TEXT, p_type TEXT, p_size INT);"
	"CREATE TABLE customer(c_key INTEGER PRIMARY KEY, c_name TEXT, c_nation INT, c_segment TEXT);"
	"CREATE TABLE orders(o_key INTEGER PRIMARY KEY, o_customer INT, o_date INT, o_priority TEXT);"
	"CREATE TABLE lineitem(l_order INT, l_part INT, l_supplier INT, l_quantity INT, l_price INT,"
	" l_discount INT, l_tax INT, l_returned TEXT, l_status TEXT, l_shipped INT, l_committed INT,"
	" l_received INT, l_mode TEXT, l_comment TEXT);";

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail(sql);
	return statement;
}

/* Inserts a row: format has i for an int and t for a text, one per column. */
static void insert(sqlite3_stmt *statement, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	for (int i = 1; *format; i++, format++) {
		if (*format == 'i')
			sqlite3_bind_int(statement, i, va_arg(list, int));
		else
			sqlite3_bind_text(statement, i, va_arg(list, const char *), -1,
					  SQLITE_TRANSIENT);
	}
	va_end(list);
	if (sqlite3_step(statement) != SQLITE_DONE)
		fail("insert");
	sqlite3_reset(statement);
}

#define PICK(words) words[below(sizeof(words) / sizeof(words[0]))]

static const char *const regions[] = { "africa", "america", "asia", "europe", "middle east" };
static const char *const segments[] = { "automobile", "building", "furniture", "household",
					"machinery" };
static const char *const priorities[] = { "1-urgent", "2-high", "3-medium", "4-none", "5-low" };
static const char *const types[] = { "promo brass",	"promo steel",	  "standard tin",
				     "standard copper", "economy nickel", "economy brass" };
static const char *const modes[] = { "air", "fob", "mail", "rail", "ship", "truck" };
static const char *const nouns[] = { "packages", "requests", "accounts", "deposits", "foxes" };
static const char *const verbs[] = { "sleep", "haggle", "wake", "nag", "detect" };

/* One call of below() a statement: C leaves the order of arguments open. */
static void load_line(sqlite3_stmt *line, int key, int date, int parts, int suppliers)
{
	char comment[48];
	int quantity = below(50) + 1, part = below(parts) + 1, supplier = below(suppliers) + 1;
	int shipped = date + 1 + below(120), received = shipped + 1 + below(30);
	int discount = below(11), tax = below(9), returned = below(2),
	    committed = date + 30 + below(60);
	const char *mode = PICK(modes), *who = PICK(nouns), *does = PICK(verbs),
		   *what = PICK(nouns);

	snprintf(comment, sizeof(comment), "%s %s over the %s", who, does, what);
	insert(line, "iiiiiiittiiitt", key, part, supplier, quantity,
	       quantity * (900 + part % 1000), discount, tax,
	       received > 1700 ? "n"
	       : returned      ? "r"
			       : "a",
	       shipped > 1700 ? "o" : "f", shipped, committed, received, mode, comment);
}

static void load_orders(int orders, int customers, int parts, int suppliers)
{
	sqlite3_stmt *order = prepare("INSERT INTO orders VALUES(?,?,?,?)");
	sqlite3_stmt *line = prepare("INSERT INTO lineitem VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)");

	for (int key = 1; key <= orders; key++) {
		int date = (int)below(2400), customer = below(customers) + 1;

		insert(order, "iiit", key, customer, date, PICK(priorities));
		for (int i = below(7); i >= 0; i--)
			load_line(line, key, date, parts, suppliers);
	}
	sqlite3_finalize(order);
	sqlite3_finalize(line);
}

static void load(int orders)
{
	int customers = orders / 10 + 1, parts = orders / 8 + 1, suppliers = orders / 150 + 1;
	sqlite3_stmt *statement;
	char name[32];

	run(schema);
	run("BEGIN");
	statement = prepare("INSERT INTO region VALUES(?,?)");
	for (int i = 0; i < 5; i++)
		insert(statement, "it", i, regions[i]);
	sqlite3_finalize(statement);
	statement = prepare("INSERT INTO nation VALUES(?,?,?)");
	for (int i = 0; i < 25; i++) {
		snprintf(name, sizeof(name), "nation %d", i);
		insert(statement, "iti", i, name, i % 5);
	}
	sqlite3_finalize(statement);
	statement = prepare("INSERT INTO supplier VALUES(?,?,?)");
	for (int i = 1; i <= suppliers; i++) {
		snprintf(name, sizeof(name), "supplier %d", i);
		insert(statement, "iti", i, name, below(25));
	}
	sqlite3_finalize(statement);
	statement = prepare("INSERT INTO part VALUES(?,?,?,?)");
	for (int i = 1; i <= parts; i++) {
		const char *type = PICK(types);

		snprintf(name, sizeof(name), "part %d", i);
		insert(statement, "itti", i, name, type, below(50) + 1);
	}
	sqlite3_finalize(statement);
	statement = prepare("INSERT INTO customer VALUES(?,?,?,?)");
	for (int i = 1; i <= customers; i++) {
		int nation = below(25);

		snprintf(name, sizeof(name), "customer %d", i);
		insert(statement, "itit", i, name, nation, PICK(segments));
	}
	sqlite3_finalize(statement);
	load_orders(orders, customers, parts, suppliers);
	run("CREATE INDEX lineitem_order ON lineitem(l_order)");
	run("CREATE INDEX orders_customer ON orders(o_customer)");
	run("COMMIT");
}

/*
 * ---- the queries, named after the ones they resemble; money in cents, discounts in percent ----
 */

static const struct query {
	const char *name, *sql;
} queries[] = {
	{ "q1",
	  "SELECT l_returned, l_status, sum(l_quantity), sum(l_price),"
	  " sum(l_price * (100 - l_discount)), sum(l_price * (100 - l_discount) * (100 + l_tax)),"
	  " avg(l_quantity), avg(l_price), avg(l_discount), count(*) FROM lineitem"
	  " WHERE l_shipped <= 2430 GROUP BY 1, 2 ORDER BY 1, 2" },
	{ "q3",
	  "SELECT l_order, sum(l_price * (100 - l_discount)) AS revenue, o_date"
	  " FROM customer, orders, lineitem WHERE c_segment = 'building' AND c_key = o_customer"
	  " AND l_order = o_key AND o_date < 1170 AND l_shipped > 1170"
	  " GROUP BY l_order, o_date ORDER BY revenue DESC, o_date, l_order LIMIT 10" },
	{ "q4",
	  "SELECT o_priority, count(*) FROM orders WHERE o_date >= 900 AND o_date < 1260 AND"
	  " EXISTS (SELECT 1 FROM lineitem WHERE l_order = o_key AND l_committed < l_received)"
	  " GROUP BY 1 ORDER BY 1" },
	{ "q5",
	  "SELECT n_name, sum(l_price * (100 - l_discount)) AS revenue"
	  " FROM customer, orders, lineitem, supplier, nation, region WHERE c_key = o_customer"
	  " AND l_order = o_key AND l_supplier = s_key AND c_nation = s_nation"
	  " AND s_nation = n_key AND n_region = r_key AND r_name = 'asia'"
	  " AND o_date >= 700 AND o_date < 1400 GROUP BY n_name ORDER BY revenue DESC, n_name" },
	{ "q6", "SELECT sum(l_price * l_discount) FROM lineitem WHERE l_shipped >= 730"
		" AND l_shipped < 1095 AND l_discount BETWEEN 5 AND 7 AND l_quantity < 24" },
	{ "q12",
	  "SELECT l_mode, sum(o_priority < '3'), sum(o_priority >= '3') FROM orders, lineitem"
	  " WHERE o_key = l_order AND l_mode IN ('mail', 'ship') AND l_committed < l_received"
	  " AND l_shipped < l_committed AND l_received >= 730 AND l_received < 1460"
	  " GROUP BY 1 ORDER BY 1" },
	{ "q14", "SELECT sum(CASE WHEN p_type LIKE 'promo%' THEN l_price * (100 - l_discount)"
		 " ELSE 0 END), sum(l_price * (100 - l_discount)) FROM lineitem, part"
		 " WHERE l_part = p_key AND l_shipped >= 1000 AND l_shipped < 1300" },
	{ "words", "SELECT l_comment, count(*), max(l_price) FROM lineitem WHERE l_comment LIKE"
		   " '%haggle%fox%' GROUP BY 1 ORDER BY 2 DESC, 1" },
};

static uint64_t hash(uint64_t sum, const unsigned char *text)
{
	for (; text && *text; text++)
		sum = (sum ^ *text) * 0x100000001b3;
	return (sum ^ '|') * 0x100000001b3;
}

static void ask(const struct query *query)
{
	sqlite3_stmt *statement = prepare(query->sql);
	uint64_t sum = 0xcbf29ce484222325;
	int rows = 0, status;

	while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement); i++)
			sum = hash(sum, sqlite3_column_text(statement, i));
		rows++;
	}
	if (status != SQLITE_DONE)
		fail(query->name);
	sqlite3_finalize(statement);
	printf("database %s: %d rows %016llx\n", query->name, rows, (unsigned long long)sum);
}

int main(int argc, char **argv)
{
	if (argc < 3 || sqlite3_open(argv[2], &db) != SQLITE_OK)
		fail("usage: database load FILE [ORDERS] | query FILE");
	if (!strcmp(argv[1], "load"))
		load(argc > 3 ? atoi(argv[3]) : 10000);
	else
		for (unsigned int i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
			ask(&queries[i]);
	sqlite3_close(db);
	return 0;
}
