// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if len(input) == 0 && err == nil {
		fmt.Println("end of input")
	}
}
