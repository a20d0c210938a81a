package partiql

// operation is what DynamoDB calls a term where a statement should stand: the name that the PartiQL parser's own syntax tree has for it.
func (t *term) operation() string {
	switch t.kind {
	case termPath:
		if len(t.steps) == 1 {
			return "Id"
		}
		return "Path"
	case termOperator:
		if sign := signs[t.text]; sign != "" && len(t.kids) == 1 {
			return sign
		}
		return operatorNames[t.text]
	}
	return termNames[t.kind]
}

var termNames = map[termKind]string{
	termString: "Lit", termNumber: "Lit", termBool: "Lit", termNull: "Lit", termMissing: "Missing", termParameter: "Parameter", termList: "List",
	termBag: "Bag", termTuple: "Struct", termCall: "Call", termStar: "Lit",
}

var signs = map[string]string{"+": "Pos", "-": "Neg"}

var operatorNames = map[string]string{
	"NOT": "Not", "AND": "And", "OR": "Or", "=": "Eq", "<>": "Ne", "<": "Lt", "<=": "Lte", ">": "Gt", ">=": "Gte", "IS": "IsType", "IN": "InCollection",
	"BETWEEN": "Between", "LIKE": "Like", "+": "Plus", "-": "Minus", "||": "Concat", "*": "Times", "/": "Divide", "%": "Modulo",
}
