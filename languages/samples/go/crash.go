package main

func main() {
	var numbers map[string]int
	numbers["one"] = 1
}
