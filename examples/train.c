/* Trains a model on a file of rows, judges it on test rows, and saves it for build/predict.
 *
 *     $ build/train examples/data/iris.csv --save iris.safetensors
 *     data         examples/data/iris.csv: 150 rows, 4 columns, 3 classes of species
 *     classes      setosa 50, versicolor 50, virginica 50
 *     numbers      4: sepal_length, sepal_width, petal_length, petal_width
 *     model        softmax, 120 training rows, 30 test rows
 *     iterations   38, loss 0.231130, converged
 *     train        accuracy 0.9750, log loss 0.1451
 *     test         accuracy 0.9667, log loss 0.1207
 *
 *     test                  precision  recall      f1  support
 *     setosa                   1.0000  1.0000  1.0000       10
 *     versicolor               1.0000  0.9000  0.9474       10
 *     virginica                0.9091  1.0000  0.9524       10
 *     macro                    0.9697  0.9667  0.9666       30
 *     weighted                 0.9697  0.9667  0.9666       30
 *     ROC AUC 1.0000 (mean of each class against the others), Brier score 0.0486
 *
 *     coefficients (standardized)       setosa  versicolor   virginica
 *     (intercept)                    -0.274105    1.947388   -1.673284
 *     petal_width                    -1.692711   -0.816653    2.509363
 *     petal_length                   -1.811983   -0.237001    2.048983
 *     sepal_length                   -1.054364    0.550998    0.503366
 *     sepal_width                     1.012973   -0.316107   -0.696866
 *
 *     $ build/train examples/data/digits.csv --model mlp --hidden 64,64 --validation 0.1 --patience 5 --quiet
 *     data         examples/data/digits.csv: 1797 rows, 64 columns, 10 classes of digit
 *     model        mlp, 1437 training rows, 360 test rows
 *     epochs       24, loss 0.007918 at the best one, 19
 *     train        accuracy 0.9979, log loss 0.0147
 *     test         accuracy 0.9833, log loss 0.0612
 *
 * Results are on standard output, progress on standard error.
 */
#include "support/train_run.h"

int main(int argc, char **argv)
{
    return train_run(argc, argv, NULL);
}
