package main

func main() {
	fmt.Println("the import is missing")
}
