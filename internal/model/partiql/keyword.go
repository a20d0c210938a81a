package partiql

import "strings"

// keywords are the words that are no names unless they are quoted: those of SQL-92 and those that PartiQL adds, except ONLY, which DynamoDB
// takes for a name. DynamoDB's own reserved words (package expr) are of no account here.
var keywords = func() map[string]bool {
	words := map[string]bool{}
	for _, word := range strings.Fields(sqlWords + partiqlWords) {
		words[word] = true
	}
	return words
}()

const sqlWords = `
absolute action add all allocate alter and any are as asc assertion at authorization avg begin between bit bit_length by cascade cascaded case cast
catalog char char_length character character_length check close coalesce collate collation column commit connect connection constraint constraints
continue convert corresponding count create cross current current_date current_time current_timestamp current_user cursor date date_add date_diff
deallocate dec decimal declare default deferrable deferred delete desc describe descriptor diagnostics disconnect distinct domain double drop else end
escape except exception exec execute exists external extract false fetch first float for foreign found from full get global go goto grant group having
identity immediate in indicator initially inner input insensitive insert int integer intersect interval into is isolation join key language last left
level like local lower match max min module names national natural nchar next no not null nullif numeric octet_length of on open option or order
outer output overlaps pad partial position precision prepare preserve primary prior privileges procedure public read real references relative restrict
revoke right rollback rows schema scroll section select session session_user set size smallint some space sql sqlcode sqlerror sqlstate substring sum
system_user table temporary then time timestamp to transaction translate translation trim true union unique unknown update upper usage user using value
values varchar varying view when whenever where with work write zone
`

const partiqlWords = `
bag blob bool boolean clob conflict do index let limit list missing modified new nothing old pivot remove returning sexp string struct symbol tuple
unpivot
`

// callable are the keywords that may be the name of a function.
var callable = map[string]bool{
	"avg": true, "char_length": true, "character_length": true, "coalesce": true, "count": true, "exists": true, "lower": true, "max": true, "min": true,
	"nullif": true, "octet_length": true, "size": true, "substring": true, "sum": true, "upper": true,
}

// typeNames are what may follow IS, as one word or two. Those with a letter are types that an attribute of DynamoDB can have.
var typeNames = map[string]string{
	"missing": "", "null": "NULL", "bool": "BOOL", "boolean": "BOOL", "string": "S", "numeric": "N", "blob": "B", "struct": "M", "tuple": "M", "list": "L",
	"smallint": "", "int": "", "int4": "", "int8": "", "integer": "", "float": "", "real": "", "double precision": "", "decimal": "", "dec": "",
	"timestamp": "", "date": "", "time": "", "char": "", "character": "", "character varying": "", "varchar": "", "symbol": "", "clob": "", "sexp": "",
	"bag": "",
}
