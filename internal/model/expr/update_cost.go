package expr

import "strconv"

// What the clauses of an UpdateExpression are charged, in bytes (semantics §2.6). DynamoDB's figures have no known reason; they were measured, each
// to the byte.
const (
	costUpdate      = 3
	costWrite       = 19 // SET and ADD
	costRemove      = 1  // REMOVE and DELETE
	costPlus        = 34
	costMinus       = 37
	costListAppend  = 37
	costIfNotExists = 39
	costSource      = 1  // a path that is read
	costSourceStep  = 14 // more, for each of its elements
	costTargetStep  = 4  // each element after the first of a path that is written
)

// WriteCost is what an UpdateExpression weighs in bytes, which UpdateItem holds to the limit of an item: what the request names and brings, whatever
// the item has there and whatever comes of it. AttributeUpdates weigh nothing, there only the finished item is measured.
func (u *Update) WriteCost() int {
	if u == nil || u.legacy {
		return 0
	}
	cost := costUpdate
	for i := range u.actions {
		a := &u.actions[i]
		cost += a.target.targetCost()
		if a.removes() {
			cost += costRemove
		} else {
			cost += costWrite + u.operandCost(a.value)
		}
	}
	return cost
}

// operandCost weighs a value at every use, and a path without the value that is found there.
func (u *Update) operandCost(o operand) int {
	switch o.kind {
	case operandValue:
		return u.values[o.at].Size()
	case operandPath:
		return u.sources[o.at].sourceCost()
	}
	cost := 0
	switch o.call.name {
	case "+":
		cost = costPlus
	case "-":
		cost = costMinus
	case "list_append":
		cost = costListAppend
	case "if_not_exists":
		cost = costIfNotExists
	}
	for _, arg := range o.call.args {
		cost += u.operandCost(arg)
	}
	return cost
}

func (p Path) targetCost() int {
	cost := -costTargetStep
	for _, element := range p {
		cost += costTargetStep + element.bytes()
	}
	return cost
}

func (p Path) sourceCost() int {
	cost := costSource
	for _, element := range p {
		cost += costSourceStep + element.bytes()
	}
	return cost
}

// bytes is an element's length as it is written, without the brackets of an index.
func (e Element) bytes() int {
	if e.Indexed {
		return len(strconv.Itoa(e.Index))
	}
	return len(e.Name)
}
