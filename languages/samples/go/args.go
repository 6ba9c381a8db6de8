package main

import (
	"fmt"
	"os"
)

func main() {
	for i, argument := range os.Args[1:] {
		fmt.Printf("Arg %d: %s\n", i, argument)
	}
}
