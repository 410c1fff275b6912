#include <cblas.h>

/* LAPACK routines that OpenBLAS carries; Debian's package has no header for them. */

/* Eigenvalues, and eigenvectors if wanted, of a symmetric matrix. */
void dsyevd_(
    const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda,
    double *w, double *work, const blasint *lwork, blasint *iwork, const blasint *liwork,
    blasint *info);

/* Solution of a symmetric positive definite system by Cholesky's factorisation. */
void dposv_(
    const char *uplo, const blasint *n, const blasint *nrhs, double *a, const blasint *lda,
    double *b, const blasint *ldb, blasint *info);
